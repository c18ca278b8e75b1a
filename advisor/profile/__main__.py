"""``python -m advisor.profile`` prints the JSON Schema of a profile, for editors."""

import json

from advisor.profile import profile_schema

print(json.dumps(profile_schema(), indent=1, ensure_ascii=False))

"""``python -m advisor.knowledge`` prints the JSON Schema of ``decision.yaml``, for editors."""

import json

from advisor.knowledge.schema import decision_schema

print(json.dumps(decision_schema(), indent=1, ensure_ascii=False))

"""Knowledge as data: the rule base and the catalogues in ``rules/``, typed and checked."""

"""Reports: advice, plans and results as people read them - on a terminal, as a page, as documents."""

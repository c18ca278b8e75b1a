"""Running a plan: stages in order, each finished once, in a folder that a later call goes on with."""

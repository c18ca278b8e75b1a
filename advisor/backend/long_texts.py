"""Long texts: what of a text is read where it exceeds a model's limit."""


def cut(ids: list[int], room: int, how: str) -> list[list[int]]:
    """Return the parts of a text that are read, each at most ``room`` tokens.

    Args:
        ids: token ids without special tokens.
        room: tokens that fit beside the special ones.
        how: ``truncate`` keeps the start; ``head-tail`` a quarter from the start and the rest from the end (Sun et al.
            2019, arXiv:1905.05583); ``windows`` all, in parts of equal length.
    """
    if len(ids) <= room:
        return [ids]
    if how == "head-tail":
        head = room // 4
        return [ids[:head] + ids[len(ids) - (room - head) :]]
    if how == "windows":
        count = -(-len(ids) // room)
        size = -(-len(ids) // count)
        return [ids[start : start + size] for start in range(0, len(ids), size)]
    return [ids[:room]]

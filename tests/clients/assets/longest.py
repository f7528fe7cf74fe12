"""tinyfan: what is made of what, and when; its names say which arguments are whose values."""

from tinyfan import asset


@asset(schedule="*/3 * * * *")
def words() -> list:
    return ["a", "b b", 'c"']


@asset()
def lengths(words: list) -> dict:
    return {word: len(word) for word in words}


@asset()
def longest(words: list, lengths: dict):
    print("the longest is", max(words, key=lengths.get))

"""What hera_runner.py imports, as programs are made of several files."""

from typing import List

from pydantic import BaseModel


class Shape(BaseModel):
    name: str
    sides: List[int]


def area(shape: Shape) -> float:
    return float(shape.sides[0] * shape.sides[1])

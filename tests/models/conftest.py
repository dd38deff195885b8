"""Oracles are importable in whichever order the tests run."""

from models.oracles import torchvision_operators

torchvision_operators()

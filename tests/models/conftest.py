"""Oracles are importable in whichever order the tests run."""

from helpers.oracles import torchvision_operators

torchvision_operators()

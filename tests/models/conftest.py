"""Makes the test oracles importable in any test order."""

from helpers.oracles import torchvision_operators

torchvision_operators()

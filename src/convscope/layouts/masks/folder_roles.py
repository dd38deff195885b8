"""Names of folders that say whether their files are images or masks."""

import re
import unicodedata

from convscope.datasets.dataset import split_of

IMAGE_FOLDERS = frozenset(
    (
        "images", "image", "imgs", "img", "jpegimages", "photos", "pictures", "inputs", "input", "camerargb", "rgb",
        "leftimg8bit", "imagestr", "imagests", "originals", "originalimages", "imgdir", "imagedir",
    )
)  # fmt: skip
MASK_FOLDERS = frozenset(
    (
        "masks", "mask", "annotations", "annotation", "annot", "segmentationclass", "segmentationclassaug",
        "segmentationclasspng", "segmentations", "segmentation", "labels", "label", "labelstr", "gt", "groundtruth",
        "groundtruths", "cameraseg", "gtfine", "trimaps", "ann", "anns", "anno", "annots", "anndir", "annotationdir",
        "maskdir", "labeldir", "gtdir", "gts", "segmasks", "maskimages", "manual", "1stmanual", "semantic",
    )
)  # fmt: skip
OTHER_FOLDERS = frozenset(
    (
        "segmentationobject", "segmentationobjectpng", "segmentationobjectvisualization",
        "segmentationclassvisualization", "2nd_manual", "semantic_rgb", "instance", "instances",
    )
)  # fmt: skip
"""Masks of objects, of a second person, and drawings, beside those of classes."""
_FORMATS = frozenset(("png", "jpg", "jpeg", "tif", "tiff", "bmp"))
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def role_of(folder: str) -> tuple[bool | None, tuple[str, ...]]:
    """Whether files in a folder of this name are masks (True) or images (False); None if neither; and its other words.

    A name of several words says so by its last one, if another is a split.

    >>> role_of("train_masks"), role_of("no_mask"), role_of("trainannot")
    ((True, ('train',)), (None, ('no_mask',)), (True, ('train',)))
    >>> role_of("ISIC2018_Task1-2_Training_Input"), role_of("image_2")
    ((False, ('training',)), (False, ()))
    """
    lower = unicodedata.normalize("NFC", folder).lower()
    joined = _BETWEEN_WORDS.sub("", lower)
    if joined in MASK_FOLDERS or joined in IMAGE_FOLDERS:
        return joined in MASK_FOLDERS, ()
    if lower.endswith("annot") and split_of(lower[:-5]):
        return True, (lower[:-5],)
    words = [word for word in _BETWEEN_WORDS.split(lower) if word]
    named = [word for word in words if word in MASK_FOLDERS or word in IMAGE_FOLDERS]
    others = tuple(word for word in words if word not in (*named, *_FORMATS) and not word.isdecimal())
    splits = tuple(filter(split_of, others))
    if named and (not others or (splits and (len(others) == 1 or words[-1] in named))):
        return any(word in MASK_FOLDERS for word in named), splits
    return None, (lower,)

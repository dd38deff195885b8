"""All layouts by name. A new layout is one file in this folder and one line here."""

from convscope.datasets.layouts.arrays import ARRAYS
from convscope.datasets.layouts.builtin import BUILTIN
from convscope.datasets.layouts.cifar import CIFAR
from convscope.datasets.layouts.class_folders import CLASS_FOLDERS
from convscope.datasets.layouts.coco import COCO
from convscope.datasets.layouts.idx import IDX
from convscope.datasets.layouts.layout import Layout
from convscope.datasets.layouts.mask_folders import MASK_FOLDERS
from convscope.datasets.layouts.table import TABLE
from convscope.datasets.layouts.voc import VOC
from convscope.datasets.layouts.yolo import YOLO

LAYOUTS: dict[str, Layout] = {
    BUILTIN.name: BUILTIN,
    TABLE.name: TABLE,
    ARRAYS.name: ARRAYS,
    IDX.name: IDX,
    CIFAR.name: CIFAR,
    MASK_FOLDERS.name: MASK_FOLDERS,
    VOC.name: VOC,
    COCO.name: COCO,
    YOLO.name: YOLO,
    CLASS_FOLDERS.name: CLASS_FOLDERS,
}

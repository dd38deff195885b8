"""All layouts by name. A new layout is one file beside this one and one line here."""

from convscope.data.layouts.builtin import BUILTIN
from convscope.data.layouts.class_folders import CLASS_FOLDERS
from convscope.data.layouts.coco import COCO
from convscope.data.layouts.layout import Layout
from convscope.data.layouts.mask_folders import MASK_FOLDERS
from convscope.data.layouts.table import TABLE
from convscope.data.layouts.voc import VOC
from convscope.data.layouts.yolo import YOLO

LAYOUTS: dict[str, Layout] = {
    BUILTIN.name: BUILTIN,
    TABLE.name: TABLE,
    MASK_FOLDERS.name: MASK_FOLDERS,
    VOC.name: VOC,
    COCO.name: COCO,
    YOLO.name: YOLO,
    CLASS_FOLDERS.name: CLASS_FOLDERS,
}

"""All layouts by name. A new layout is one file in a room beside this file and one line here."""

from convscope.layouts.arrays.arrays import ARRAYS
from convscope.layouts.arrays.cifar import CIFAR
from convscope.layouts.arrays.idx import IDX
from convscope.layouts.boxes.coco import COCO
from convscope.layouts.boxes.cvat import CVAT
from convscope.layouts.boxes.label_studio import LABEL_STUDIO
from convscope.layouts.boxes.labelme import LABELME
from convscope.layouts.boxes.via import VIA
from convscope.layouts.boxes.voc import VOC
from convscope.layouts.boxes.yolo import YOLO
from convscope.layouts.builtin import BUILTIN
from convscope.layouts.folders.class_folders import CLASS_FOLDERS
from convscope.layouts.folders.file_names import FILE_NAMES
from convscope.layouts.folders.name_parts import NAME_PARTS
from convscope.layouts.folders.nested_folders import NESTED_FOLDERS
from convscope.layouts.layout import Layout
from convscope.layouts.masks.mask_folders import MASK_FOLDERS
from convscope.layouts.series import SERIES_FILES
from convscope.layouts.tables.table import TABLE
from convscope.layouts.tables.table_folder import TABLE_FOLDER
from convscope.layouts.texts.text_folders import TEXT_FOLDERS
from convscope.layouts.texts.text_lines import TEXT_LINES
from convscope.layouts.texts.text_table import TEXT_TABLE

LAYOUTS: dict[str, Layout] = {
    BUILTIN.name: BUILTIN,
    TABLE.name: TABLE,
    TABLE_FOLDER.name: TABLE_FOLDER,
    ARRAYS.name: ARRAYS,
    IDX.name: IDX,
    CIFAR.name: CIFAR,
    MASK_FOLDERS.name: MASK_FOLDERS,
    VOC.name: VOC,
    COCO.name: COCO,
    YOLO.name: YOLO,
    VIA.name: VIA,
    CVAT.name: CVAT,
    LABEL_STUDIO.name: LABEL_STUDIO,
    LABELME.name: LABELME,
    CLASS_FOLDERS.name: CLASS_FOLDERS,
    FILE_NAMES.name: FILE_NAMES,
    NAME_PARTS.name: NAME_PARTS,
    NESTED_FOLDERS.name: NESTED_FOLDERS,
    SERIES_FILES.name: SERIES_FILES,
    TEXT_TABLE.name: TEXT_TABLE,
    TEXT_FOLDERS.name: TEXT_FOLDERS,
    TEXT_LINES.name: TEXT_LINES,
}

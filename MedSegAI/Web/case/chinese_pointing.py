"""The Chinese texts of clicking to segment; see ``chinese.py``."""

from __future__ import annotations

CHINESE_OF_POINTING = {
    "point_title": "点击分割",
    "point_aim": "指向结节",
    "point_aim_tip": "然后在切片中点击结节；每次点击分割一个（Esc 结束）",
    "point_click": "在切片中点击结节。Esc 结束。",
    "point_busy": "正在分割；完成后再点击下一个。",
    "point_what": "分割所指的结构；不会自行寻找结节。",
    "point_explain": "同时生成热图",
    "point_explain_tip": "每次点击后显示是什么决定了结果",
    "point_name": "结节",
    "point_diameter": "Ø 毫米",
    "point_diameter_tip": "轴位切片中的最长径与垂直于它的最长径的平均值",
    "point_volume": "立方毫米",
    "point_density": "CT 值（HU）",
    "point_density_tip": "其中 CT 值的平均",
    "point_confidence": "置信度",
    "point_show": "在切片中显示",
    "point_heat": "显示是什么决定了此结果",
    "point_remove": "移除此结构及其点",
    "point_cut": "它到达模型所见范围或影像的边缘：可能有一部分被截断",
    "point_deleted": "它的点已被删除。是否也移除该结构？",
    "export_nodules": "结节测量（.csv）",
    "export_nodules_tip": "所指结构的径线、体积、平均 HU 和置信度，以表格形式",
}

"""Which rule a line or a field breaks, and how to mend it, in Vietnamese: by the rule's name. Pure.

The API says the same in English: `rule` of each entry of `problems`, and of problems about units.
"""

WORKBOOK = {
    "not-filled-in": (
        "Ô này phải được điền.",
        "Điền vào cột B, ở các dòng đầu của bảng tính.",
    ),
    "day-in-future": ("Ngày còn ở tương lai.", "Ghi ngày hôm nay hoặc một ngày đã qua."),
    "other-plan": (
        "Bảng tính này thuộc kế hoạch khác.",
        "Tải lại bảng tính từ trang này rồi điền vào bảng đó.",
    ),
    "group-unknown": (
        "Cột này không phải nhóm dân số nào của hệ thống.",
        "Giữ nguyên dòng tiêu đề có chữ unit_id như khi tải về.",
    ),
    "formula": ("Ô chứa công thức.", "Dán giá trị: chọn ô, sao chép, rồi dán đặc biệt “Giá trị”."),
    "not-a-number": (
        "Ô phải là số người, số nguyên từ 0 trở lên.",
        "Ghi như 12345 hoặc 12.345; để trống nếu chưa có số liệu.",
    ),
    "unit-twice": ("Đơn vị này có hai dòng cùng ghi số.", "Chỉ giữ một dòng."),
    "unit-outside": (
        "Mã ở cột A không phải đơn vị của kế hoạch này.",
        "Giữ nguyên cột A như khi tải về, hoặc xóa dòng đó.",
    ),
    "declared-since": (
        "Số này đã được công bố lại sau khi bảng tính được tải về.",
        "Tải bảng tính mới, xem số mới nhất, rồi điền lại.",
    ),
}
"""Faults of the denominators' workbook: (rule, fix)."""

DOUBTS = {
    "zero": "bằng 0: nghĩa là không có ai; nếu chưa biết, hãy để trống ô",
    "far": "gấp hơn 3 lần, hoặc chưa bằng một phần ba số trước",
}
"""What to look at again before a number is written."""

PLACES_OF_WORKBOOK = {
    "# as_of": "Số liệu tính đến ngày",
    "# authority": "Cơ quan công bố",
    "# plan": "Kế hoạch",
}
"""Lines to fill in above the grid."""

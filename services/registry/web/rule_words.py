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

UNITS = {
    "levels-differ": (
        "Các đơn vị không cùng cấp.",
        "Chỉ sáp nhập, thay thế giữa các đơn vị cùng cấp: xã với xã, tỉnh với tỉnh.",
    ),
    "into-itself": (
        "Đơn vị không thể chia vào chính nó.",
        "Nếu đơn vị còn tồn tại, chỉ cần thành lập đơn vị mới được tách ra.",
    ),
    "part-twice": ("Một phần được ghi hai lần.", "Ghi mỗi đơn vị một lần."),
    "never-established": ("Chưa từng có đơn vị mang mã này.", "Kiểm tra lại mã."),
    "no-successor": (
        "Đơn vị thay thế trùng với đơn vị cũ, khác cấp, hoặc không tồn tại vào ngày đó.",
        "Ghi mã của đơn vị cùng cấp đang tồn tại vào ngày đó.",
    ),
    "not-there": ("Đơn vị không tồn tại vào ngày đó.", "Kiểm tra lại đơn vị và ngày."),
    "level-changes": (
        "Loại này thuộc cấp khác; cấp của một đơn vị không bao giờ thay đổi.",
        "Chọn loại cùng cấp: xã, phường, đặc khu; hoặc tỉnh, thành phố.",
    ),
    "code-taken": (
        "Mã này đã thuộc về một đơn vị khác.",
        "Dùng mã chưa cấp cho ai; mã không bao giờ dùng lại.",
    ),
    "code-digits": (
        "Mã không đủ số chữ số: tỉnh 2, xã 5.",
        "Giữ số 0 ở đầu; bảng tính hay bỏ mất.",
    ),
    "wrong-place": (
        "Đơn vị loại này không thể thuộc đơn vị được nêu.",
        "Tỉnh thuộc cả nước, xã thuộc tỉnh, thôn thuộc xã.",
    ),
    "hamlet-code": (
        "Mã thôn không cho biết thôn thuộc xã nào.",
        "Mã thôn là mã xã, dấu gạch nối và số thứ tự: 24133-007.",
    ),
    "ended-otherwise": (
        "Đơn vị đã thôi tồn tại, theo cách khác với nội dung này.",
        "Xem lịch sử của đơn vị; nếu sự kiện trước sai, hãy hủy hoặc đính chính nó.",
    ),
    "code-twice": ("Mã này đứng ở hai dòng.", "Chỉ giữ một dòng."),
    "end-of-nothing": (
        "Đơn vị chưa từng có thì không thể thôi tồn tại.",
        "Kiểm tra lại mã, hoặc xóa cột ends_on của dòng này.",
    ),
    "lies-elsewhere": (
        "Đơn vị đang thuộc đơn vị khác với cột parent.",
        "Sửa cột parent; nếu thật sự chuyển, hãy sáp nhập hoặc chia tách.",
    ),
    "column-unknown": (
        "Tệp có cột mà hệ thống không biết.",
        "Sửa lại tên cột, hoặc xóa cột; không cột nào bị bỏ qua.",
    ),
    "column-twice": ("Một cột đứng hai lần.", "Chỉ giữ một cột."),
    "cells-too-many": (
        "Dòng có nhiều ô hơn số cột.",
        "Đặt văn bản có dấu phẩy trong ngoặc kép, hoặc xóa ô thừa.",
    ),
    "successors-without-day": (
        "Có đơn vị thay thế nhưng chưa có ngày thôi tồn tại.",
        "Ghi ngày ở cột ends_on, hoặc xóa cột successors của dòng này.",
    ),
    "organisation-kind-stays": (
        "Loại tổ chức của đơn vị đã có khác với tệp, và không thay đổi được.",
        "Ghi đúng loại đang có, hoặc để trống.",
    ),
    "ends-and-changes": (
        "Dòng cho đơn vị thôi tồn tại lại ghi tên, loại hoặc đặc điểm khác.",
        "Ghi đúng như đang có; muốn đổi tên, hãy dùng một dòng riêng hoặc ngày khác.",
    ),
    "neither-yes-nor-no": ("Ô đặc điểm phải là có hoặc không.", "Ghi yes, no, hoặc để trống."),
    "field-invalid": ("Ô này thiếu hoặc sai dạng.", "Xem lại ô được nêu."),
    "day-malformed": ("Ngày chưa đúng dạng.", "Ghi ngày dạng 2027-01-31."),
    "unit-unknown": ("Không có đơn vị nào mang mã này.", "Kiểm tra lại mã ở cột parent."),
    "unit-not-valid": ("Đơn vị không tồn tại vào ngày đó.", "Kiểm tra lại mã và ngày."),
    "unit-ambiguous": (
        "Mã này thuộc nhiều đơn vị qua các thời kỳ.",
        "Ghi cả thời kỳ, ví dụ 24133@2025.",
    ),
    "near-double": (
        "Tên gần giống một thôn, buôn đang có trong xã.",
        "Dùng đúng tên đang có; nếu là nơi khác, ghi yes ở cột distinct.",
    ),
    "change-impossible": ("Không thể thay đổi như vậy.", "Xem lại dòng này."),
}
"""What units may not become, and lines of an import: (rule, fix)."""

FIELDS = {
    "units": "Các đơn vị thôi tồn tại",
    "into": "Đơn vị nhận",
    "on": "Từ ngày",
    "code": "Mã đơn vị mới",
    "kind": "Loại",
    "name": "Tên",
    "name_vi": "Tên",
    "parent": "Thuộc đơn vị",
    "successors": "Đơn vị thay thế",
    "ends_on": "Ngày thôi tồn tại",
    "organisation_kind": "Loại tổ chức",
    "source_ref": "Văn bản",
    "file": "Tệp",
}
"""What the forms about units call their fields."""

# A copy of shared/identity, made by `make generate`; do not edit.
"""How persons' numbers are given out in Viet Nam, as data, with the days from which it holds.

A change of these tables changes who is who: add to them, raise `numbers.VERSION`, and let
`former.py` say how a number was spelt before.
"""

PROVINCES = (
    "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036"
    " 037 038 040 042 044 045 046 048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075"
    " 077 079 080 082 083 084 086 087 089 091 092 093 094 095 096"
)
"""The 63 provinces of birth registration (Circular 07/2016/TT-BCA, appendix 1). The 34 provinces
since 1/7/2025 (Decision 19/2025/QĐ-TTg) keep codes out of these; numbers never change."""

COUNTRIES = range(101, 296)
"""Codes of countries, for births registered abroad (Circular 07/2016/TT-BCA, appendix 2)."""

BIRTHPLACES: tuple[tuple[str, frozenset[str]], ...] = (
    ("2016-03-20", frozenset(PROVINCES.split())),
    ("2016-03-20", frozenset(map(str, COUNTRIES))),
)
"""(since, codes) of the first three digits of an identity number; later ones are added below."""

IMPOSSIBLE_BIRTHPLACES = frozenset({"000"})

CENTURIES = {digit: 1900 + digit // 2 * 100 for digit in range(10)}
"""The fourth digit: even for men, odd for women; 0 and 1 for the 20th century and so on."""

MOBILE_SINCE_2018 = {
    # Viettel, MobiFone, VinaPhone, Vietnamobile, Gmobile: eleven digits became ten,
    # 15/9/2018 (Decision 798/QĐ-BTTTT).
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38",
    "169": "39",
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "186": "56", "188": "58",
    "199": "59",
}  # fmt: skip
"""Old prefix (after the 0) to the new one; seven digits follow either."""

_MOBILE = (
    "32 33 34 35 36 37 38 39 52 55 56 58 59 70 76 77 78 79 81 82 83 84 85 86 87 88 89 90 91 92 93 94"
    " 96 97 98 99"
)
MOBILE = frozenset(_MOBILE.split())
"""Prefixes (after the 0) of the networks of today."""

LANDLINE_SINCE_2017 = {
    # Three steps from 11/2/2017 (Decision 2036/QĐ-BTTTT): area codes became 2xx.
    "22": "212", "231": "213", "20": "214", "230": "215", "29": "216", "510": "235", "511": "236",
    "25": "205", "26": "206", "27": "207", "320": "220", "321": "221", "31": "225", "351": "226",
    "350": "228", "30": "229", "780": "290", "781": "291", "710": "292", "711": "293",
    "4": "24", "61": "251", "62": "252", "64": "254", "68": "259", "60": "260", "501": "261",
    "500": "262", "63": "263", "651": "271", "650": "274", "66": "276", "67": "277",
}  # fmt: skip
"""Old area code to the new one, where the old one cannot be taken for a number of today (08 of
Hồ Chí Minh, 036 of Thái Bình and others are prefixes of mobile networks now)."""

_AREAS = (
    "203 204 205 206 207 208 209 210 211 212 213 214 215 216 218 219 220 221 222 225 226 227 228 229"
    " 232 233 234 235 236 237 238 239 251 252 254 255 256 257 258 259 260 261 262 263 269 270 271 272"
    " 273 274 275 276 277 290 291 292 293 294 296 297 299"
)
AREAS = frozenset(_AREAS.split())
"""Area codes of today besides 24 (Hà Nội) and 28 (Hồ Chí Minh), which have two digits."""

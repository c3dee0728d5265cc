"""What Tables 5 and 6 of the paper print (P. Mondal and A. Srivastava, ISLPED 2018, doi 10.1145/3218603.3218616).

Error rates on the test part: MNIST's and WBCD's are in %; of SONAR's the paper does not say so. The last column of
Table 5, WBCD 2L20, is cut off below its first line in the copy at hand, which also prints 2L5 for SONAR's 2L15.
"""

NETS: dict[str, tuple[str, ...]] = {
    "sonar": ("1L", "2L15", "2L25"),
    "mnist": ("2L50", "2L100", "2L150", "3L"),
    "wbcd": ("1L", "2L10", "2L20"),
}
"""By data set."""

SONAR_TEST_SAMPLES = 104

TABLE_5: dict[str, dict[str, tuple[float | None, ...]]] = {
    "RV": {
        "sonar": (16.4, 12.8, 11.9),
        "mnist": (9.87, 7.34, 6.44, 7.25),
        "wbcd": (8.35, 7.40, 7.10),
    },
    "DP 1T1R": {
        "sonar": (19.2, 15.2, 14.3),
        "mnist": (13.50, 10.89, 9.55, 10.45),
        "wbcd": (9.85, 8.30, None),
    },
    "DP 1R": {
        "sonar": (46.8, 41.4, 42.7),
        "mnist": (39.42, 36.10, 37.92, 40.48),
        "wbcd": (24.95, 23.65, None),
    },
    "ST 1T1R": {
        "sonar": (18.4, 14.2, 13.6),
        "mnist": (12.69, 10.18, 8.96, 9.71),
        "wbcd": (9.20, 7.70, None),
    },
    "ST 1R": {
        "sonar": (18.3, 14.5, 14.0),
        "mnist": (12.72, 10.20, 9.03, 9.66),
        "wbcd": (9.40, 7.85, None),
    },
}
"""By scenario and data set, in the order of `NETS`."""

TABLE_6: dict[tuple[str, str], dict[int, tuple[float, float]]] = {
    ("sonar", "1L"): {2: (18.5, 18.4), 5: (18.7, 18.7), 10: (19.0, 19.1), 20: (19.3, 19.5)},
    ("sonar", "2L15"): {2: (14.4, 14.7), 5: (14.7, 14.8), 10: (15.1, 15.1), 20: (16.0, 15.9)},
    ("mnist", "2L100"): {2: (10.27, 10.22), 5: (10.28, 10.29), 10: (10.33, 10.43), 20: (10.42, 10.72)},
    ("wbcd", "2L20"): {2: (9.67, 9.73), 5: (9.78, 9.80), 10: (9.86, 9.91), 20: (10.15, 10.28)},
}
"""By data set and network, then by variation in %: of 1T1R and of 1R."""


def printed_error(scenario: str, data: str, net: str) -> float | None:
    """Return what Table 5 prints, or None where the copy at hand is cut off."""
    return TABLE_5[scenario][data][NETS[data].index(net)]

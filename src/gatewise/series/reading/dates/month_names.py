"""Month names: names and abbreviations of months and weekdays in several languages."""

import unicodedata

_MONTHS = (  # English, German, French, Spanish, Italian, Portuguese, Dutch, Nordic and Polish, without accents
    "jan january januar janner janv janvier ene enero gen gennaio janeiro januari styczen",
    "feb february februar fev fevr fevrier febrero febbraio fevereiro februari luty",
    "mar march marz maerz mrz mars marzo marco maart mrt marts marec marzec",
    "apr april avr avril abr abril aprile kwiecien",
    "may mai mayo mag maggio maio mei maj",
    "jun june juni juin junio giu giugno junho czerwiec",
    "jul july juli juil juillet julio lug luglio julho lipiec",
    "aug august aou aout ago agosto augustus augusti sierpien",
    "sep sept september septembre septiembre set settembre setembro wrzesien",
    "oct october okt oktober octobre octubre ott ottobre out outubro pazdziernik",
    "nov november novembre noviembre novembro listopad",
    "dec december dez dezember decembre dic diciembre dicembre dezembro des desember grudzien",
)
NUMBER = {name: month for month, names in enumerate(_MONTHS, start=1) for name in names.split()}
_WEEKDAYS = (  # the same, without French mar., which is March
    "mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday",
    "mo montag di dienstag mi mittwoch do donnerstag fr freitag sa samstag so sonntag",
    "lun lundi mardi mer mercredi jeu jeudi ven vendredi sam samedi dim dimanche",
    "lunes martes mie miercoles jue jueves vie viernes sab sabado dom domingo",
)
_WEEKDAY_NUMBERS = (  # from Monday; several languages
    "mon monday mo montag lun lundi lunes lunedi maandag ma",
    "tue tues tuesday di dienstag mardi martes mar martedi dinsdag",
    "wed wednesday mi mittwoch mer mercredi mie miercoles mercoledi woensdag wo",
    "thu thur thurs thursday do donnerstag jeu jeudi jue jueves gio giovedi donderdag",
    "fri friday fr freitag ven vendredi vie viernes venerdi vrijdag vr",
    "sat saturday sa samstag sonnabend sam samedi sab sabado sabato zaterdag za",
    "sun sunday so sonntag dim dimanche dom domingo domenica zondag zo",
)
_WEEKDAY_NUMBER = {name: day for day, names in enumerate(_WEEKDAY_NUMBERS, start=1) for name in names.split()}
WEEKDAYS = tuple(name for names in _WEEKDAYS for name in names.split())


def month_number(name: str) -> float:
    """The number of a month by its name or abbreviation, in any case, with or without a point; NaN if unknown.

    >>> month_number("Sept."), month_number("März"), month_number("Foo")
    (9.0, 3.0, nan)
    """
    return float(NUMBER.get(_plain(name), "nan"))


def weekday_number(name: str) -> float:
    """The number of a weekday from Monday = 1 by its name or abbreviation; NaN if unknown.

    >>> weekday_number("Mo."), weekday_number("dimanche"), weekday_number("Foo")
    (1.0, 7.0, nan)
    """
    return float(_WEEKDAY_NUMBER.get(_plain(name), "nan"))


def _plain(name: str) -> str:
    """A name in small letters, without accents and a point at its end."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().rstrip(".")

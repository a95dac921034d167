"""Month names: names and abbreviations of months and weekdays in several languages."""

import unicodedata

_MONTHS = (  # English, German, French, Spanish, Italian, Portuguese and Dutch, without accents
    "jan january januar janner janv janvier ene enero gen gennaio janeiro januari",
    "feb february februar fev fevr fevrier febrero febbraio fevereiro februari",
    "mar march marz maerz mrz mars marzo marco maart mrt",
    "apr april avr avril abr abril aprile",
    "may mai mayo mag maggio maio mei",
    "jun june juni juin junio giu giugno junho",
    "jul july juli juil juillet julio lug luglio julho",
    "aug august aou aout ago agosto augustus",
    "sep sept september septembre septiembre set settembre setembro",
    "oct october okt oktober octobre octubre ott ottobre out outubro",
    "nov november novembre noviembre novembro",
    "dec december dez dezember decembre dic diciembre dicembre dezembro",
)
NUMBER = {name: month for month, names in enumerate(_MONTHS, start=1) for name in names.split()}
_WEEKDAYS = (  # the same, without French mar., which is March
    "mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday",
    "mo montag di dienstag mi mittwoch do donnerstag fr freitag sa samstag so sonntag",
    "lun lundi mardi mer mercredi jeu jeudi ven vendredi sam samedi dim dimanche",
    "lunes martes mie miercoles jue jueves vie viernes sab sabado dom domingo",
)
WEEKDAYS = tuple(name for names in _WEEKDAYS for name in names.split())


def month_number(name: str) -> float:
    """The number of a month by its name or abbreviation, in any case, with or without a point; NaN if unknown.

    >>> month_number("Sept."), month_number("März"), month_number("Foo")
    (9.0, 3.0, nan)
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().rstrip(".")
    return float(NUMBER.get(plain, "nan"))

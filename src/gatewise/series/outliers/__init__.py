"""Outliers: values far from what their series does, and how they are reported and treated.

`detection` finds them in the values of many series (`layout`), `search` in those of a panel; `report` describes them,
`treatment` clips or fills them.
"""

"""Measures 9-12: profiles, types, pools, 名特优新, 个转企. Leads: market regulation (amr).

A trader sees everything held about her and puts it right; becomes a company only by her own step.
Nothing here recommends a conversion, starts one, or makes one a condition.
"""

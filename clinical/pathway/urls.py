"""Addresses of ways in and out."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from clinical.pathway import views

PERSON: list[URLPattern | URLResolver] = [
    path("first-steps/", views.first_steps, name="first_steps"),
    path("discharge/", views.discharge, name="discharge"),
    path("transfer/", views.transfer, name="transfer"),
]
PAGES: list[URLPattern | URLResolver] = [
    path("ways/", views.ways, name="ways"),
    path("ways/referrals/new/", views.referral_new, name="referral_new"),
    path("ways/referrals/<uuid:referral_id>/", views.referral, name="referral"),
    path("ways/referrals/<uuid:referral_id>/accept/", views.referral_accept, name="referral_accept"),
    path("ways/referrals/<uuid:referral_id>/decline/", views.referral_decline, name="referral_decline"),
    path("ways/referrals/<uuid:referral_id>/name/", views.referral_name, name="referral_name"),
]

"""R66 to R76 and R93 to R98: which test stands for which rule; none of them may go."""

import importlib

import pytest

ERASURE, REGISTRY = "privacy.test_erasure", "privacy.test_registry"
PROVED = {
    "R66": ("privacy.test_due_table", "test_r66_orders_from_elsewhere_have_no_date"),
    "R67": (ERASURE, "test_at_the_due_instant_every_field_of_the_person_goes"),
    "R68": (ERASURE, "test_place_of_delivery_stays"),
    "R69": (ERASURE, "test_a_label_shows_the_marker_and_no_address_once_erased"),
    "R70": (REGISTRY, "test_every_personal_column_is_erased_by_a_holder"),
    "R71": (ERASURE, "test_only_an_address_amazon_already_masked_stays"),
    "R72": (ERASURE, "test_many_labels_on_their_own_clock_all_go_in_one_sweep"),
    "R73": (ERASURE, "test_nothing_but_the_person_and_the_state_changes"),
    "R74": (ERASURE, "test_an_empty_field_stays_empty"),
    "R75": (ERASURE, "test_a_second_sweep_changes_nothing_not_even_a_timestamp"),
    "R76 import": ("orders.test_import_rules", "test_r74_r75_r76_an_erased_order_takes_nothing_of_a_person_back"),
    "R76 doors": ("privacy.test_sticky", "test_a22_a_whole_record_sent_back_moves_the_rest_and_the_rest_only"),
    "R93": ("shipments.test_mails_sending", "test_r93_the_erasure_forgets_to_whom_and_cancels_what_waits"),
    "R98 saved filters": (
        "orders.test_work",
        "test_f40_a_view_keeps_filters_and_ordering_and_never_what_was_searched_for",
    ),
    "R94": ("webhooks.test_sending", "test_r94_neither_message_nor_log_nor_row_names_anybody"),
    "R97": ("webhooks.test_feeding", "test_r97_an_erasure_is_told"),
    "R95": ("shipments.test_mails_allowed", "test_r64_exports_hold_neither_e_mail_nor_phone"),
}


@pytest.mark.parametrize("rule", PROVED)
def test_each_rule_has_its_test(rule):
    module, name = PROVED[rule]
    assert callable(getattr(importlib.import_module(f"tests.{module}"), name))

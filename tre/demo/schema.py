"""The tables of OMOP CDM 5.4 that the synthetic population fills, column by column in the CDM's order.

Source: OHDSI/CommonDataModel, `OMOP_CDMv5.4_Field_Level.csv`. Three columns of `person` are not in the CDM: a
hospital's extract carries identifiers beside it, and the policy must keep them from every analyst.
"""

from __future__ import annotations

import pyarrow as pa

MONEY = pa.decimal128(12, 2)
_TYPES = {
    "int": pa.int64(),
    "text": pa.string(),
    "date": pa.date32(),
    "time": pa.timestamp("us"),
    "real": pa.float64(),
    "money": MONEY,
}

_TABLES = {
    "person": """
        person_id:int gender_concept_id:int year_of_birth:int month_of_birth:int day_of_birth:int
        birth_datetime:time race_concept_id:int ethnicity_concept_id:int location_id:int provider_id:int
        care_site_id:int person_source_value:text gender_source_value:text gender_source_concept_id:int
        race_source_value:text race_source_concept_id:int ethnicity_source_value:text
        ethnicity_source_concept_id:int nhs_number:text postcode:text date_of_birth:date""",
    "observation_period": """
        observation_period_id:int person_id:int observation_period_start_date:date
        observation_period_end_date:date period_type_concept_id:int""",
    "visit_occurrence": """
        visit_occurrence_id:int person_id:int visit_concept_id:int visit_start_date:date
        visit_start_datetime:time visit_end_date:date visit_end_datetime:time visit_type_concept_id:int
        provider_id:int care_site_id:int visit_source_value:text visit_source_concept_id:int
        admitted_from_concept_id:int admitted_from_source_value:text discharged_to_concept_id:int
        discharged_to_source_value:text preceding_visit_occurrence_id:int""",
    "condition_occurrence": """
        condition_occurrence_id:int person_id:int condition_concept_id:int condition_start_date:date
        condition_start_datetime:time condition_end_date:date condition_end_datetime:time
        condition_type_concept_id:int condition_status_concept_id:int stop_reason:text provider_id:int
        visit_occurrence_id:int visit_detail_id:int condition_source_value:text
        condition_source_concept_id:int condition_status_source_value:text""",
    "drug_exposure": """
        drug_exposure_id:int person_id:int drug_concept_id:int drug_exposure_start_date:date
        drug_exposure_start_datetime:time drug_exposure_end_date:date drug_exposure_end_datetime:time
        verbatim_end_date:date drug_type_concept_id:int stop_reason:text refills:int quantity:real
        days_supply:int sig:text route_concept_id:int lot_number:text provider_id:int
        visit_occurrence_id:int visit_detail_id:int drug_source_value:text drug_source_concept_id:int
        route_source_value:text dose_unit_source_value:text""",
    "procedure_occurrence": """
        procedure_occurrence_id:int person_id:int procedure_concept_id:int procedure_date:date
        procedure_datetime:time procedure_end_date:date procedure_end_datetime:time
        procedure_type_concept_id:int modifier_concept_id:int quantity:int provider_id:int
        visit_occurrence_id:int visit_detail_id:int procedure_source_value:text
        procedure_source_concept_id:int modifier_source_value:text""",
    "measurement": """
        measurement_id:int person_id:int measurement_concept_id:int measurement_date:date
        measurement_datetime:time measurement_time:text measurement_type_concept_id:int
        operator_concept_id:int value_as_number:real value_as_concept_id:int unit_concept_id:int
        range_low:real range_high:real provider_id:int visit_occurrence_id:int visit_detail_id:int
        measurement_source_value:text measurement_source_concept_id:int unit_source_value:text
        unit_source_concept_id:int value_source_value:text measurement_event_id:int
        meas_event_field_concept_id:int""",
    "observation": """
        observation_id:int person_id:int observation_concept_id:int observation_date:date
        observation_datetime:time observation_type_concept_id:int value_as_number:real value_as_string:text
        value_as_concept_id:int qualifier_concept_id:int unit_concept_id:int provider_id:int
        visit_occurrence_id:int visit_detail_id:int observation_source_value:text
        observation_source_concept_id:int unit_source_value:text qualifier_source_value:text
        value_source_value:text observation_event_id:int obs_event_field_concept_id:int""",
    "death": """
        person_id:int death_date:date death_datetime:time death_type_concept_id:int cause_concept_id:int
        cause_source_value:text cause_source_concept_id:int""",
    "cost": """
        cost_id:int cost_event_id:int cost_domain_id:text cost_type_concept_id:int currency_concept_id:int
        total_charge:money total_cost:money total_paid:money paid_by_payer:money paid_by_patient:money
        paid_patient_copay:money paid_patient_coinsurance:money paid_patient_deductible:money
        paid_by_primary:money paid_ingredient_cost:money paid_dispensing_fee:money payer_plan_period_id:int
        amount_allowed:money revenue_code_concept_id:int revenue_code_source_value:text drg_concept_id:int
        drg_source_value:text""",
    "location": """
        location_id:int address_1:text address_2:text city:text state:text zip:text county:text
        location_source_value:text country_concept_id:int country_source_value:text latitude:real
        longitude:real""",
    "care_site": """
        care_site_id:int care_site_name:text place_of_service_concept_id:int location_id:int
        care_site_source_value:text place_of_service_source_value:text""",
    "provider": """
        provider_id:int provider_name:text npi:text dea:text specialty_concept_id:int care_site_id:int
        year_of_birth:int gender_concept_id:int provider_source_value:text specialty_source_value:text
        specialty_source_concept_id:int gender_source_value:text gender_source_concept_id:int""",
    "concept": """
        concept_id:int concept_name:text domain_id:text vocabulary_id:text concept_class_id:text
        standard_concept:text concept_code:text valid_start_date:date valid_end_date:date
        invalid_reason:text""",
    "concept_ancestor": """
        ancestor_concept_id:int descendant_concept_id:int min_levels_of_separation:int
        max_levels_of_separation:int""",
    "vocabulary": """
        vocabulary_id:text vocabulary_name:text vocabulary_reference:text vocabulary_version:text
        vocabulary_concept_id:int""",
    "domain": """domain_id:text domain_name:text domain_concept_id:int""",
}


def _schema(text: str) -> pa.Schema:
    pairs = (word.split(":") for word in text.split())
    return pa.schema([(name, _TYPES[kind]) for name, kind in pairs])


SCHEMAS: dict[str, pa.Schema] = {name: _schema(text) for name, text in _TABLES.items()}
"""Arrow schema of every table; identifiers are int64, money is decimal(12,2), times are without zone."""

DIRECT_IDENTIFIERS = {
    "person": ("person_source_value", "nhs_number", "postcode", "date_of_birth", "birth_datetime"),
}
"""The only columns in which a person can be recognised directly; a policy declares them so."""

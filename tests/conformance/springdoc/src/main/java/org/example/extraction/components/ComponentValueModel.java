package org.example.extraction.components;

import java.util.List;

public record ComponentValueModel(
        String value,
        String originalValue,
        String valueDescription,
        String componentRuleId,
        List<EntityReferenceModel> entityReferences) {
}

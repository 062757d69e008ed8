package org.example.extraction.components;

import java.util.UUID;

public record EntityReferenceModel(UUID id, String type, int page, String entityRuleId) {
}

package org.example.extraction.components;

import java.util.List;
import java.util.Map;
import java.util.UUID;

public record FileComponentsModel(
        UUID dossierTemplateId,
        UUID dossierId,
        UUID fileId,
        String fileName,
        Map<String, List<String>> components,
        Map<String, ComponentDetailsModel> componentDetails) {
}

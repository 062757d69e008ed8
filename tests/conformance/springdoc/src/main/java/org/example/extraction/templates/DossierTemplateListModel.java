package org.example.extraction.templates;

import java.util.List;

public record DossierTemplateListModel(List<DossierTemplateModel> dossierTemplates) {
}

package org.example.extraction.components;

import java.util.List;

public record DossierComponentsModel(List<FileComponentsModel> files) {
}

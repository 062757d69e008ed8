package org.example.extraction.dossiers;

import java.util.List;

public record DossierListModel(List<DossierModel> dossiers) {
}

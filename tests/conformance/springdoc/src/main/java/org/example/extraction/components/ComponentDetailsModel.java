package org.example.extraction.components;

import java.util.List;

public record ComponentDetailsModel(List<ComponentValueModel> values) {
}

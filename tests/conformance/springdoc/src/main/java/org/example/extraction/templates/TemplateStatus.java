package org.example.extraction.templates;

public enum TemplateStatus {
    ACTIVE, INACTIVE, INCOMPLETE, DRAFT
}

package org.example.extraction.templates;

import java.time.OffsetDateTime;
import java.util.UUID;

import org.example.extraction.common.AuditedModel;

public class DossierTemplateModel extends AuditedModel {

    private final String name;
    private final String description;
    private final UUID createdBy;
    private final UUID modifiedBy;
    private final OffsetDateTime validFrom;
    private final OffsetDateTime validTo;
    private final TemplateStatus status;
    private final boolean removeWatermark;

    public DossierTemplateModel(UUID id, String name, String description, UUID user, TemplateStatus status) {
        this.name = name;
        this.description = description;
        this.createdBy = user;
        this.modifiedBy = user;
        this.validFrom = OffsetDateTime.parse("2024-01-01T00:00:00Z");
        this.validTo = null;
        this.status = status;
        this.removeWatermark = false;
        setId(id);
        setDateAdded(validFrom);
        setDateModified(OffsetDateTime.now());
    }

    public String getName() {
        return name;
    }

    public String getDescription() {
        return description;
    }

    public UUID getCreatedBy() {
        return createdBy;
    }

    public UUID getModifiedBy() {
        return modifiedBy;
    }

    public OffsetDateTime getValidFrom() {
        return validFrom;
    }

    public OffsetDateTime getValidTo() {
        return validTo;
    }

    public TemplateStatus getStatus() {
        return status;
    }

    public boolean isRemoveWatermark() {
        return removeWatermark;
    }
}

package org.example.extraction.common;

import java.time.OffsetDateTime;
import java.util.UUID;

/** What everything that somebody made has. */
public abstract class AuditedModel {

    private UUID id;
    private OffsetDateTime dateAdded;
    private OffsetDateTime dateModified;

    public UUID getId() {
        return id;
    }

    public void setId(UUID id) {
        this.id = id;
    }

    public OffsetDateTime getDateAdded() {
        return dateAdded;
    }

    public void setDateAdded(OffsetDateTime dateAdded) {
        this.dateAdded = dateAdded;
    }

    public OffsetDateTime getDateModified() {
        return dateModified;
    }

    public void setDateModified(OffsetDateTime dateModified) {
        this.dateModified = dateModified;
    }
}

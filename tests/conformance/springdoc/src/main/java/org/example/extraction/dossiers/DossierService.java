package org.example.extraction.dossiers;

import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

import org.example.extraction.common.NotFoundException;
import org.example.extraction.downloads.DownloadFileType;
import org.example.extraction.users.UserController;
import org.springframework.stereotype.Service;

@Service
public class DossierService {

    private static final UUID REPORT = UUID.fromString("e7f2c9d1-8b3a-4e60-b1d4-6a5c0f9e8d50");

    private final Map<UUID, DossierModel> dossiers = new ConcurrentHashMap<>();

    public List<DossierModel> list(UUID templateId) {
        return dossiers.values().stream().filter(dossier -> dossier.getDossierTemplateId().equals(templateId)).toList();
    }

    public DossierModel get(UUID templateId, UUID id) {
        DossierModel dossier = dossiers.get(id);
        if (dossier == null || !dossier.getDossierTemplateId().equals(templateId)) {
            throw new NotFoundException("There is no dossier " + id);
        }
        return dossier;
    }

    public DossierModel save(UUID templateId, CreateDossierRequest request) {
        DossierModel dossier = request.id() == null ? new DossierModel() : get(templateId, request.id());
        OffsetDateTime now = OffsetDateTime.now();
        if (dossier.getId() == null) {
            dossier.setId(UUID.randomUUID());
            dossier.setDossierTemplateId(templateId);
            dossier.setDateAdded(now);
        }
        dossier.setDateModified(now);
        dossier.setName(request.name());
        dossier.setDescription(request.description());
        dossier.setOwnerId(orElse(request.ownerId(), UserController.ADMIN));
        dossier.setMemberIds(orElse(request.memberIds(), Set.of()));
        dossier.setDueDate(request.dueDate());
        dossier.setDownloadFileTypes(orElse(request.downloadFileTypes(), Set.of(DownloadFileType.ORIGINAL)));
        dossier.setReportTemplateIds(new ArrayList<>(orElse(request.reportTemplateIds(), List.of(REPORT))));
        dossier.setDossierAttributes(request.dossierAttributes());
        dossiers.put(dossier.getId(), dossier);
        return dossier;
    }

    public void delete(UUID templateId, UUID id, boolean permanently) {
        DossierModel dossier = get(templateId, id);
        if (permanently) {
            dossiers.remove(id);
        } else {
            dossier.setSoftDeletedTime(OffsetDateTime.now());
        }
    }

    private static <T> T orElse(T value, T other) {
        return value == null ? other : value;
    }
}

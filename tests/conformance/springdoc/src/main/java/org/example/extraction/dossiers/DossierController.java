package org.example.extraction.dossiers;

import java.util.List;
import java.util.UUID;

import jakarta.validation.Valid;
import org.example.extraction.downloads.DownloadRequestModel;
import org.example.extraction.downloads.DownloadService;
import org.example.extraction.downloads.PreparedDownloadDto;
import org.example.extraction.files.FileModel;
import org.example.extraction.files.FileService;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/dossier-templates/{templateId}/dossiers")
public class DossierController {

    private final DossierService dossiers;
    private final FileService files;
    private final DownloadService downloads;

    public DossierController(DossierService dossiers, FileService files, DownloadService downloads) {
        this.dossiers = dossiers;
        this.files = files;
        this.downloads = downloads;
    }

    @GetMapping
    public DossierListModel list(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @RequestParam(defaultValue = "true") boolean includeActive,
            @RequestParam(defaultValue = "false") boolean includeArchived,
            @RequestParam(defaultValue = "false") boolean includeSoftDeleted) {
        List<DossierModel> found = dossiers.list(templateId).stream()
                .filter(dossier -> dossier.getSoftDeletedTime() == null ? includeActive : includeSoftDeleted).toList();
        return new DossierListModel(found);
    }

    @PostMapping
    public ResponseEntity<DossierModel> create(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @Valid @RequestBody CreateDossierRequest request) {
        DossierModel dossier = dossiers.save(templateId, request);
        return ResponseEntity.status(request.id() == null ? HttpStatus.CREATED : HttpStatus.OK).body(dossier);
    }

    @GetMapping("/{id}")
    public DossierModel get(
            @RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID templateId, @PathVariable UUID id) {
        return dossiers.get(templateId, id);
    }

    @DeleteMapping("/{id}")
    public void delete(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID id,
            @RequestParam(defaultValue = "false") boolean deletePermanently) {
        dossiers.delete(templateId, id, deletePermanently);
        if (deletePermanently) {
            files.deleteAll(id);
        }
    }

    @PostMapping("/{id}/create-download")
    public PreparedDownloadDto createDownload(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID id,
            @RequestBody DownloadRequestModel request) {
        DossierModel dossier = dossiers.get(templateId, id);
        return downloads.prepare(dossier, files.list(id).stream().map(FileModel::getId).toList(), request);
    }
}

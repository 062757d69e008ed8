package org.example.extraction.files;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import jakarta.validation.Valid;
import org.example.extraction.dossiers.DossierModel;
import org.example.extraction.dossiers.DossierService;
import org.example.extraction.downloads.BulkDownloadRequestModel;
import org.example.extraction.downloads.DownloadRequestModel;
import org.example.extraction.downloads.DownloadService;
import org.example.extraction.downloads.PreparedDownloadDto;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

@RestController
@RequestMapping("/api/dossier-templates/{templateId}/dossiers/{dossierId}/files")
public class FileController {

    private final DossierService dossiers;
    private final FileService files;
    private final DownloadService downloads;

    public FileController(DossierService dossiers, FileService files, DownloadService downloads) {
        this.dossiers = dossiers;
        this.files = files;
        this.downloads = downloads;
    }

    @GetMapping
    public FileListModel list(
            @RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID templateId, @PathVariable UUID dossierId) {
        return new FileListModel(files.list(dossiers.get(templateId, dossierId).getId()));
    }

    @PostMapping(consumes = MediaType.MULTIPART_FORM_DATA_VALUE)
    @ResponseStatus(HttpStatus.CREATED)
    public UploadResultDto upload(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @RequestParam("file") MultipartFile file,
            @RequestParam(defaultValue = "false") boolean keepManualChanges) throws IOException {
        DossierModel dossier = dossiers.get(templateId, dossierId);
        Set<UUID> added = Set.of(files.add(dossier, file.getOriginalFilename(), file.getBytes()));
        return new UploadResultDto(added, added);
    }

    @GetMapping("/{id}")
    public FileModel get(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @PathVariable UUID id) {
        return files.get(dossierId, id);
    }

    @DeleteMapping("/{id}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    public void delete(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @PathVariable UUID id,
            @RequestParam(defaultValue = "false") boolean deletePermanently) {
        files.delete(dossierId, id, deletePermanently);
    }

    @PutMapping("/{id}/reanalyse")
    public ResponseEntity<FileModel> reanalyse(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @PathVariable UUID id,
            @RequestBody(required = false) Map<String, Object> options) {
        return ResponseEntity.accepted().body(files.reanalyse(dossierId, id));
    }

    @PostMapping("/{id}/create-download")
    public PreparedDownloadDto createDownload(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @PathVariable UUID id,
            @RequestBody DownloadRequestModel request) {
        UUID found = files.get(dossierId, id).getId();
        return downloads.prepare(dossiers.get(templateId, dossierId), List.of(found), request);
    }

    @PostMapping("/bulk/create-download")
    public PreparedDownloadDto createDownload(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @Valid @RequestBody BulkDownloadRequestModel request) {
        return downloads.prepare(dossiers.get(templateId, dossierId), List.copyOf(request.getFileIds()), request);
    }
}

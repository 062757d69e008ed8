package org.example.extraction.components;

import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

import org.example.extraction.dossiers.DossierService;
import org.example.extraction.files.FileService;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/dossier-templates/{templateId}/dossiers/{dossierId}")
public class ComponentController {

    private final DossierService dossiers;
    private final FileService files;
    private final ComponentService components;

    public ComponentController(DossierService dossiers, FileService files, ComponentService components) {
        this.dossiers = dossiers;
        this.files = files;
        this.components = components;
    }

    @GetMapping(path = "/files/{fileId}/components", produces = MediaType.APPLICATION_JSON_VALUE)
    public FileComponentsModel get(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @PathVariable UUID fileId,
            @RequestParam(defaultValue = "false") boolean includeDetails) {
        return components.extract(files.get(dossierId, fileId), includeDetails);
    }

    @GetMapping(path = "/files/{fileId}/components", produces = MediaType.APPLICATION_XML_VALUE)
    public String getXml(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @PathVariable UUID fileId,
            @RequestParam(defaultValue = "false") boolean includeDetails) {
        return prolog(components.xml(get(tenantId, templateId, dossierId, fileId, includeDetails)));
    }

    @GetMapping(path = "/bulk/components", produces = MediaType.APPLICATION_JSON_VALUE)
    public DossierComponentsModel list(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @RequestParam(defaultValue = "false") boolean includeDetails) {
        UUID dossier = dossiers.get(templateId, dossierId).getId();
        List<FileComponentsModel> all =
                files.list(dossier).stream().map(file -> components.extract(file, includeDetails)).toList();
        return new DossierComponentsModel(all);
    }

    @GetMapping(path = "/bulk/components", produces = MediaType.APPLICATION_XML_VALUE)
    public String listXml(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @PathVariable UUID templateId,
            @PathVariable UUID dossierId,
            @RequestParam(defaultValue = "false") boolean includeDetails) {
        return prolog(list(tenantId, templateId, dossierId, includeDetails).files().stream().map(components::xml)
                .collect(Collectors.joining("", "<files>", "</files>")));
    }

    private static String prolog(String xml) {
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + xml;
    }
}

package org.example.extraction.components;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import org.example.extraction.common.ConflictException;
import org.example.extraction.files.FileModel;
import org.example.extraction.files.ProcessingStatus;
import org.springframework.stereotype.Service;
import org.springframework.web.util.HtmlUtils;

/** Values as the rules of a template would find them; here they depend on nothing but the name of the file. */
@Service
public class ComponentService {

    public FileComponentsModel extract(FileModel file, boolean includeDetails) {
        if (file.getProcessingStatus() != ProcessingStatus.PROCESSED) {
            throw new ConflictException("The analysis of " + file.getFileName() + " has not ended");
        }
        Map<String, List<String>> components = file.getFileName().contains("invoice") ? invoice() : report();
        return new FileComponentsModel(file.getDossierTemplateId(), file.getDossierId(), file.getId(), file.getFileName(),
                components, includeDetails ? details(components) : null);
    }

    private static Map<String, List<String>> invoice() {
        Map<String, List<String>> components = new LinkedHashMap<>();
        components.put("InvoiceNumber", List.of("2024-0815"));
        components.put("InvoiceDate", List.of("2024-03-28"));
        components.put("DueDate", List.of("2024-04-27"));
        components.put("Supplier", List.of("Müller & Söhne <Labor> GmbH"));
        components.put("Customer", List.of("Nordlicht Agrar AG"));
        components.put("NetAmount", List.of("1200.00"));
        components.put("TaxAmount", List.of("228.00"));
        components.put("TotalAmount", List.of("1428.00"));
        components.put("Currency", List.of("EUR"));
        return components;
    }

    private static Map<String, List<String>> report() {
        Map<String, List<String>> components = new LinkedHashMap<>();
        components.put("Title", List.of("Acute oral toxicity in the rat"));
        components.put("StudyNumber", List.of("T-2023-114"));
        components.put("Sponsor", List.of("Nordlicht Agrar AG"));
        components.put("TestItem", List.of());
        components.put("Guidelines", List.of("OECD 423", "EC 440/2008 B.1 tris"));
        components.put("CompletionDate", List.of("2023-09-18"));
        components.put("GlpCompliance", List.of("true"));
        components.put("PageCount", List.of("6"));
        return components;
    }

    private static Map<String, ComponentDetailsModel> details(Map<String, List<String>> components) {
        Map<String, ComponentDetailsModel> details = new LinkedHashMap<>();
        components.forEach((name, values) -> details.put(name, new ComponentDetailsModel(
                values.stream().map(value -> new ComponentValueModel(value, null, "found by its label", name + ".1.0",
                        List.of(new EntityReferenceModel(UUID.randomUUID(), name, 1, name + ".0.0")))).toList())));
        return details;
    }

    public String xml(FileComponentsModel file) {
        StringBuilder xml = new StringBuilder("<file id=\"").append(file.fileId()).append("\" name=\"")
                .append(HtmlUtils.htmlEscapeDecimal(file.fileName())).append("\">");
        file.components().forEach((name, values) -> {
            xml.append("<component name=\"").append(name).append("\">");
            values.forEach(value -> xml.append("<value>").append(HtmlUtils.htmlEscapeDecimal(value)).append("</value>"));
            xml.append("</component>");
        });
        return xml.append("</file>").toString();
    }
}

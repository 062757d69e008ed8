package org.example.extraction.common;

import java.util.List;

/** Looks as the one of Spring Data does, so that springdoc writes what it writes for an object among the query parameters. */
public record Pageable(Integer page, Integer size, List<String> sort) {
}

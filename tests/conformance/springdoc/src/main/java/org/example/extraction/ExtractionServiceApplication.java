package org.example.extraction;

import java.io.IOException;
import java.io.PrintStream;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;

@SpringBootApplication
public class ExtractionServiceApplication {

    public static void main(String[] args) {
        // Standard output is for the one line that says where the server is; logs go beside it.
        PrintStream out = System.out;
        System.setOut(System.err);
        var context = (ServletWebServerApplicationContext) SpringApplication.run(ExtractionServiceApplication.class, args);
        out.println("READY " + context.getWebServer().getPort());
        out.flush();
        if (context.getEnvironment().getProperty("stop-with-stdin", Boolean.class, false)) {
            endWithInput();
        }
    }

    /** Whoever started this holds the other end of standard input. When that is gone, so is the need for this server. */
    private static void endWithInput() {
        try {
            while (System.in.read() >= 0) {
                // Nothing is said here.
            }
        } catch (IOException e) {
            // As good as its end.
        }
        System.exit(0);
    }
}

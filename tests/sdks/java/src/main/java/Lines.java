import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.concurrent.Callable;

/** A signed call for each line of stdin, one line of stdout for each. */
final class Lines {
    private Lines() {}

    static void each(Callable<String> call) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        while (lines.readLine() != null) {
            try {
                System.out.println("done " + call.call());
            } catch (Exception error) {
                String text = String.valueOf(error.getMessage()).replaceAll("\\s+", " ").strip();
                System.out.println("failed " + error.getClass().getSimpleName() + " " + text);
            }
        }
    }
}

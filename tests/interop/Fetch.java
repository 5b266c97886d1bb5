import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.IntStream;

/** What test_java.py asks of Java's two HTTP clients; one line of output for each answer. */
class Fetch {
    static final HttpClient CLIENT = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();

    static HttpRequest.Builder request(String uri) {
        return HttpRequest.newBuilder(URI.create(uri));
    }

    static HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
        return CLIENT.send(request.build(), BodyHandlers.ofByteArray());
    }

    static String summary(String what, HttpResponse<byte[]> response) throws Exception {
        var digest = MessageDigest.getInstance("SHA-256").digest(response.body());
        var content = response.body().length == 0 ? "nothing" : HexFormat.of().formatHex(digest);
        return what + " " + response.version() + " " + response.statusCode() + " " + content;
    }

    public static void main(String[] arguments) throws Exception {
        var site = arguments[0];
        var first = send(request(site + "/a.txt"));
        System.out.println(summary("get", first));
        var tag = first.headers().firstValue("ETag").orElseThrow();
        System.out.println(summary("revalidation", send(request(site + "/a.txt").header("If-None-Match", tag))));
        System.out.println(summary("range", send(request(site + "/a.txt").header("Range", "bytes=2-5"))));
        System.out.println(summary("large", send(request(site + "/30m.bin"))));
        System.out.println(summary("missing", send(request(site + "/missing"))));
        System.out.println(summary("upload", send(request(site + "/a.txt").POST(BodyPublishers.ofByteArray(new byte[1 << 20])))));
        var many = IntStream.range(0, 20)
            .mapToObj(number -> CLIENT.sendAsync(request(site + "/100k.bin").build(), BodyHandlers.ofByteArray()))
            .toList();
        for (var response : many) {
            System.out.println(summary("many", response.get()));
        }
        System.out.println(summary("folder", send(request(site + "/sub"))));
        for (var target : new String[] {"/a.txt", "/sub"}) {
            var old = (HttpURLConnection) URI.create(site + target).toURL().openConnection();
            System.out.println("old " + old.getResponseCode() + " " + new String(old.getInputStream().readAllBytes()));
        }
    }
}

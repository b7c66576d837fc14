import software.amazon.awssdk.services.sts.StsClient;

/** aws-sdk-java v2 on a profile. */
public final class V2 {
    private V2() {}

    public static void main(String[] args) throws Exception {
        var client = StsClient.create();
        Lines.each(() -> client.getCallerIdentity().arn());
    }
}

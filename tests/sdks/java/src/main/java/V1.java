import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.securitytoken.AWSSecurityTokenServiceClientBuilder;
import com.amazonaws.services.securitytoken.model.GetCallerIdentityRequest;

/** aws-sdk-java v1 on a profile. It does not know AWS_ENDPOINT_URL. */
public final class V1 {
    private V1() {}

    public static void main(String[] args) throws Exception {
        var endpoint = new EndpointConfiguration(System.getenv("AWS_ENDPOINT_URL"), System.getenv("AWS_REGION"));
        var client = AWSSecurityTokenServiceClientBuilder.standard().withEndpointConfiguration(endpoint).build();
        Lines.each(() -> client.getCallerIdentity(new GetCallerIdentityRequest()).getArn());
    }
}

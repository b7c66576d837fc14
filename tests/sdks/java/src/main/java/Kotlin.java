import aws.sdk.kotlin.services.sts.StsClient;
import aws.sdk.kotlin.services.sts.model.GetCallerIdentityRequest;
import aws.sdk.kotlin.services.sts.model.GetCallerIdentityResponse;
import kotlin.coroutines.EmptyCoroutineContext;
import kotlin.Unit;
import kotlinx.coroutines.BuildersKt;

/** aws-sdk-kotlin on a profile. */
public final class Kotlin {
    private Kotlin() {}

    public static void main(String[] args) throws Exception {
        var made = BuildersKt.runBlocking(EmptyCoroutineContext.INSTANCE, (scope, rest) ->
            StsClient.Companion.fromEnvironment(settings -> Unit.INSTANCE, (kotlin.coroutines.Continuation) rest));
        var client = (StsClient) made;
        var nothing = new GetCallerIdentityRequest.Builder().build();
        Lines.each(() -> {
            var who = BuildersKt.runBlocking(EmptyCoroutineContext.INSTANCE, (scope, rest) ->
                client.getCallerIdentity(nothing, (kotlin.coroutines.Continuation) rest));
            return ((GetCallerIdentityResponse) who).getArn();
        });
        System.exit(0);
    }
}

// aws-sdk-go v1 on a profile: one client, a signed call for each line of stdin, one line of stdout for each.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/sts"
)

func main() {
	// It knows neither AWS_ENDPOINT_URL nor, without being told, ~/.aws/config.
	client := sts.New(session.Must(session.NewSessionWithOptions(session.Options{
		SharedConfigState: session.SharedConfigEnable,
		Config:            aws.Config{Endpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL"))},
	})))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if who, err := client.GetCallerIdentity(&sts.GetCallerIdentityInput{}); err != nil {
			fmt.Println("failed", strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Println("done", *who.Arn)
		}
	}
}

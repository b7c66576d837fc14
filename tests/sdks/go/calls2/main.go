// aws-sdk-go-v2 on a profile: one client, a signed call for each line of stdin, one line of stdout for each.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Println("failed", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
	client := sts.NewFromConfig(settings)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if who, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
			fmt.Println("failed", strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Println("done", *who.Arn)
		}
	}
}

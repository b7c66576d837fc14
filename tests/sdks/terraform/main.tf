# The terraform program by itself, without a provider: its S3 backend signs calls with the profile of the environment.
terraform {
  backend "s3" {
    bucket         = "jit-test-state"
    key            = "state"
    use_path_style = true
  }
}

resource "terraform_data" "nothing" {}

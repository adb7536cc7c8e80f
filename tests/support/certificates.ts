/** Certificates of a migration by TLS, made with openssl. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const hasOpenssl: boolean =
  spawnSync("openssl", ["version"]).status === 0;

/**
 * Creates a directory with the files of both sides, whose certificates are
 * valid for an address.
 */
export function createCertificates(
  directory: string,
  address: string = "127.0.0.1",
): string {
  mkdirSync(directory);
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync("openssl", args, { cwd: directory });
    if (status !== 0) throw new Error(String(stderr));
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  openssl(
    ...["req", "-x509", ...key, "-nodes", "-days", "2"],
    ...["-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca-cert.pem"],
  );
  writeFileSync(join(directory, "names"), `subjectAltName=IP:${address}`);
  for (const side of ["server", "client"]) {
    openssl(
      ...["req", ...key, "-nodes", "-subj", `/CN=${side}`],
      ...["-keyout", `${side}-key.pem`, "-out", `${side}.csr`],
    );
    openssl(
      ...["x509", "-req", "-in", `${side}.csr`, "-days", "2"],
      ...["-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"],
      ...["-extfile", "names", "-out", `${side}-cert.pem`],
    );
  }
  return directory;
}

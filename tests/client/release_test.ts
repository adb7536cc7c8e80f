/** The release of a VMM, and what the client refuses on it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, type VmmRelease } from "../../mod.ts";
import { diagnose } from "../../src/errors/diagnosis.ts";
import { pathOf, reply, serving } from "../support/server.ts";

const ping = (version: string, build_version: string): string =>
  reply(200, JSON.stringify({ version, build_version, pid: 1, features: [] }));

test("release() names the tag that the VMM was built from", async () => {
  const cases: readonly [version: string, build: string, name: VmmRelease][] = [
    ["48.0.0", "v48.0", "v48.0"],
    ["51.1.0", "v51.1.0", "v51.1"],
    ["52.0.0", "v52.0-1.fc44", "v52.0"],
    ["53.0.0", "v53.0-dirty", "v53.0"],
    ["53.0.0", "", "v53.0"],
    ["53.0.0", "v53.0-3-gabcdef123", "v53.0"],
    ["54.0.0", "v53.0-246-gae44c2971", "v54.0-dev"],
    ["54.0.0", "v54.0", "v54.0"],
    ["54.1.0", "v54.1-2-gabcdef123-dirty", "v54.1"],
    ["46.0.0", "v46.0", "v46.0"],
    ["120.3.1", "v120.3.1", "v120.3"],
  ];
  let answer = "";
  await serving((socket) => socket.write(answer), async ({ path }) => {
    const client = createClient(path);
    for (const [version, build, name] of cases) {
      answer = ping(version, build);
      assert.equal(await client.release(), name, build);
    }
  });
});

test("createClient refuses what is no name of a release", () => {
  for (const release of ["52.0", "v52", "v53.0-246-gae44c2971", ""]) {
    assert.throws(
      () => createClient("/run/a.sock", { release: release as VmmRelease }),
      { name: "RangeError", message: /not a name such as "v52.0"/ },
    );
  }
});

test("an operation that the release lacks is not sent", async () => {
  await serving(
    (socket) => socket.write(reply(204)),
    async ({ path, requests }) => {
      const resize = { id: "d", desired_size: 1024 };
      const old = createClient(path, { release: "v49.0", allowFatal: true });
      await assert.rejects(old.vm.resizeDisk(resize), {
        name: "InvalidRequestError",
        code: "unsupported",
        operation: "vm.resize-disk",
        message:
          `vm.resize-disk on "${path}" was not sent: vm.resize-disk needs ` +
          "v50.0 or later, and the VMM is v49.0",
      });
      assert.equal(requests.length, 0);
      for (const release of ["v50.0", "v54.0-dev", "v99.0"] as const) {
        await createClient(path, { release }).vm.resizeDisk(resize);
      }
      await createClient(path).vm.resizeDisk(resize);
      assert.equal(requests.length, 4);
    },
  );
});

test("an unknown path is unsupported, and the message names what has it", () => {
  const advice = (name: Parameters<typeof diagnose>[2]) => {
    const { code, advice } = diagnose(404, ["Not Found"], name);
    assert.equal(code, "unsupported");
    return advice;
  };
  assert.equal(
    advice("vm.resize-disk"),
    "vm.resize-disk needs v50.0 or later",
  );
  assert.equal(
    advice("vm.coredump"),
    "vm.coredump needs a build with the feature guest_debug",
  );
  assert.match(advice("vm.boot")!, /build or release/);
});

const CREATED = { config: {}, state: "Created", memory_actual_size: 0 };
const HALF_BUILT = { ...CREATED, device_tree: {} };
const NOT_CREATED = '["Error from API","VM is not created"]';

/** The requests that a call leads to, where `vm.info` answers with `info`. */
async function sentBy(
  release: VmmRelease | undefined,
  info: string,
  method: "boot" | "sendMigration" | "receiveMigration",
  allowFatal = false,
): Promise<string[]> {
  const paths: string[] = [];
  await serving((socket, request) => {
    paths.push(pathOf(request).slice("/api/v1/".length));
    socket.write(paths.at(-1) === "vm.info" ? info : reply(204));
  }, async ({ path }) => {
    const options = release === undefined ? {} : { release };
    const { vm } = createClient(path, { ...options, allowFatal });
    const url = "unix:/run/b.sock";
    const sent = {
      boot: () => vm.boot(),
      sendMigration: () => vm.sendMigration({ destination_url: url }),
      receiveMigration: () => vm.receiveMigration({ receiver_url: url }),
    }[method]();
    await sent.catch((error) => paths.push(error.code));
  });
  return paths;
}

test("calls that end or hang an old VMM are refused where the release is known", async () => {
  const none = reply(500, NOT_CREATED);
  const half = reply(200, JSON.stringify(HALF_BUILT));
  const ready = reply(
    200,
    JSON.stringify({ ...CREATED, device_tree: null }),
  );
  const refused = ["vm.info", "fatal_request"];
  assert.deepEqual(await sentBy("v52.0", none, "sendMigration"), refused);
  assert.deepEqual(await sentBy("v48.0", half, "boot"), refused);
  const asked = ["vm.info", "vm.boot"];
  assert.deepEqual(await sentBy("v52.0", ready, "boot"), asked);
  // The VMM refuses it.
  assert.deepEqual(await sentBy("v52.0", none, "boot"), asked);
  assert.deepEqual(
    await sentBy("v51.1", ready, "sendMigration"),
    ["vm.info", "vm.send-migration"],
  );
  const running = reply(
    200,
    JSON.stringify({ ...HALF_BUILT, state: "Running" }),
  );
  const received = ["vm.info", "vm.receive-migration"];
  for (const info of [none, ready]) {
    assert.deepEqual(await sentBy("v52.0", info, "receiveMigration"), received);
  }
  for (const info of [half, running]) {
    assert.deepEqual(await sentBy("v48.0", info, "receiveMigration"), refused);
  }
  for (const release of [undefined, "v53.0"] as const) {
    assert.deepEqual(await sentBy(release, half, "boot"), ["vm.boot"]);
  }
  assert.deepEqual(await sentBy("v52.0", half, "boot", true), ["vm.boot"]);
  // A VMM that does not answer is no reason to send it.
  assert.deepEqual(
    await sentBy("v52.0", reply(503, ""), "boot"),
    ["vm.info", "overloaded"],
  );
});

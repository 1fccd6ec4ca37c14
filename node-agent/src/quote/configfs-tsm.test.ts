import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BombyxError, utf8 } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { FakeClock } from "../../test/fake-clock.ts";
import { configfsTsmProvider, type ReportFiles } from "./configfs-tsm.ts";

const reportData = new Uint8Array(64).fill(7);
const quote = new Uint8Array(5_000).fill(1);
const directory = "/config/tsm/report";

const kernelError = (code: string) => Object.assign(new Error(code), { code });

/** The kernel's side of configfs-tsm, as Documentation/ABI/testing/configfs-tsm-report has it. */
class FakeKernel implements ReportFiles {
  readonly reports = new Map<string, { generation: number; inblob?: Uint8Array }>();
  readonly made: string[] = [];
  provider = "tdx_guest";
  outblob: () => Promise<Uint8Array> = async () => quote;
  /** Errors of the next operations of a kind. */
  readonly failures: { operation: keyof ReportFiles; code: string }[] = [];
  busiest = 0;

  #operation(operation: keyof ReportFiles): void {
    const next = this.failures.findIndex((failure) => failure.operation === operation);
    if (next < 0) return;
    const [failure] = this.failures.splice(next, 1);
    throw kernelError(failure!.code);
  }

  async mkdir(path: string): Promise<void> {
    this.#operation("mkdir");
    if (this.reports.has(path)) throw kernelError("EEXIST");
    this.reports.set(path, { generation: 0 });
    this.made.push(path);
    this.busiest = Math.max(this.busiest, this.reports.size);
  }

  async rmdir(path: string): Promise<void> {
    if (!this.reports.delete(path)) throw kernelError("ENOENT");
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#operation("write");
    const report = this.#report(path, "inblob");
    if (bytes.length !== 64) throw kernelError("EINVAL");
    report.inblob = bytes;
    report.generation++;
  }

  async read(path: string): Promise<Uint8Array> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name === "outblob") {
      this.#operation("read");
      this.#report(path, "outblob");
      return this.outblob();
    }
    const report = this.#report(path, name);
    if (name === "generation") return utf8(`${report.generation}\n`);
    if (name === "provider") return utf8(`${this.provider}\n`);
    throw kernelError("ENOENT");
  }

  #report(path: string, name: string) {
    const report = this.reports.get(path.slice(0, -name.length - 1));
    if (!report) throw kernelError("ENOENT");
    return report;
  }
}

const noCollateral = () => Promise.reject(new Error("not asked for here"));
const provider = (files: ReportFiles, clock = new FakeClock()) =>
  configfsTsmProvider(noCollateral, { directory, files, clock });

it("asks the kernel for one report, in a folder of its own that it removes", async () => {
  const kernel = new FakeKernel();
  expect(await provider(kernel).quote(reportData)).toEqual(quote);
  expect(kernel.made.length).toBe(1);
  expect(kernel.made[0]).toMatch(/^\/config\/tsm\/report\/bombyx-[0-9a-f-]{36}$/);
  expect(kernel.reports.size).toBe(0);
});

it("has one report in flight at a time, each in another folder", async () => {
  const kernel = new FakeKernel();
  const quotes = provider(kernel);
  await Promise.all([quotes.quote(reportData), quotes.quote(reportData), quotes.quote(reportData)]);
  expect(kernel.busiest).toBe(1);
  expect(new Set(kernel.made).size).toBe(3);
});

it.each(["EBUSY", "EINTR", "EAGAIN"])("tries again after %s, and gives up after five times", async (code) => {
  const kernel = new FakeKernel();
  kernel.failures.push({ operation: "read", code }, { operation: "write", code });
  expect(await provider(kernel).quote(reportData)).toEqual(quote);
  for (let i = 0; i < 5; i++) kernel.failures.push({ operation: "read", code });
  await expect(provider(kernel).quote(reportData)).rejects.toMatchObject({ code: "NODE_FAILED" });
  expect(kernel.reports.size).toBe(0);
});

it.each([
  ["ENXIO", /no provider of reports/],
  ["ENOENT", /no TDX virtual machine with Linux 6\.7/],
  ["EACCES", /may not be written/],
])("says what the machine lacks at %s", async (code, words) => {
  const kernel = new FakeKernel();
  kernel.failures.push({ operation: "mkdir", code });
  const refused = provider(kernel).quote(reportData);
  await expect(refused).rejects.toMatchObject({ code: "NODE_FAILED", message: expect.stringMatching(words) });
});

it("refuses reports of another provider", async () => {
  const kernel = new FakeKernel();
  kernel.provider = "sev_guest";
  await expect(provider(kernel).quote(reportData)).rejects.toThrow(/"sev_guest", not from a TDX module/);
  expect(kernel.reports.size).toBe(0);
});

it("does not use a report that somebody else wrote to meanwhile", async () => {
  const kernel = new FakeKernel();
  kernel.outblob = async () => {
    for (const report of kernel.reports.values()) report.generation++;
    return quote;
  };
  await expect(provider(kernel).quote(reportData)).rejects.toThrow(/Somebody else wrote/);
});

it("refuses reports in DICE form and empty ones, and takes one of 8 KB", async () => {
  const kernel = new FakeKernel();
  kernel.outblob = async () => new Uint8Array(8_193);
  await expect(provider(kernel).quote(reportData)).rejects.toThrow(/DICE/);
  kernel.outblob = async () => new Uint8Array(0);
  await expect(provider(kernel).quote(reportData)).rejects.toThrow(/empty/);
  kernel.outblob = async () => new Uint8Array(8_192);
  expect((await provider(kernel).quote(reportData)).length).toBe(8_192);
});

it("waits 30 seconds for a quote, and goes on with the next one then", async () => {
  const kernel = new FakeKernel();
  const clock = new FakeClock();
  const asked = Promise.withResolvers<void>();
  kernel.outblob = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const quotes = provider(kernel, clock);
  const stuck = quotes.quote(reportData);
  const next = quotes.quote(reportData);
  await asked.promise;
  kernel.outblob = async () => quote;
  clock.advance(30_000);
  await expect(stuck).rejects.toThrow(/no quote within 30 s/);
  expect(await next).toEqual(quote);
});

it("finds no TDX module on an ordinary machine, on the real file system", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bombyx-tsm-"));
  const absent = configfsTsmProvider(noCollateral, { directory: join(folder, "absent") });
  await expect(absent.quote(reportData)).rejects.toBeInstanceOf(BombyxError);
  await mkdir(join(folder, "report"));
  const plain = configfsTsmProvider(noCollateral, { directory: join(folder, "report") });
  await expect(plain.quote(reportData)).rejects.toMatchObject({ code: "NODE_FAILED" });
  expect(await readdir(join(folder, "report"))).toEqual([]);
  await rm(folder, { recursive: true });
});

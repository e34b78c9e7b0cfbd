// What the page does in the browser itself: files by HTTP (scans are too large for the state's web socket), and keys.
window.medsegai = {
  async upload(files, key, failed, address) {
    if (!files || !files.length) return;
    const form = new FormData();
    for (const file of files) form.append("file", file, file.webkitRelativePath || file.name);
    try {
      const answer = await fetch(address, { method: "POST", body: form, headers: { "X-Case-Key": key } });
      if (!answer.ok) failed(await answer.text());
    } catch (error) {
      failed(String(error));
    }
  },
  save(address) {
    if (!address) return;
    const link = document.createElement("a");
    link.href = address;
    link.download = "";
    document.body.appendChild(link);
    link.click();
    link.remove();
  },
  listenToKeys(keys, pressed) {
    window.addEventListener("keydown", (event) => {
      const target = event.target;
      const typing = ["INPUT", "TEXTAREA"].includes(target.tagName) && !["range", "checkbox"].includes(target.type);
      const held = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (typing || event.repeat) return;
      if (held && key === "z") pressed(event.shiftKey ? "redo" : "undo");
      else if (held && key === "y") pressed("redo");
      else if (!held && !event.altKey && keys.includes(key)) pressed(key);
      else return;
      event.preventDefault();
    });
  },
};

/* Automation rules: everything works without this file. It narrows choices in the editor and lets rows be dragged. */
(function () {
    "use strict";

    function follow(row) {
        var fact = row.querySelector("select[name$='-fact'], select[name$='-do']");
        var test = row.querySelector("select[name$='-test']");
        var value = row.querySelector("input[name$='-value']");
        if (!fact || !value) { return; }

        function narrow() {
            var chosen = fact.options[fact.selectedIndex];
            var tests = (chosen.dataset.tests || "").split(" ");
            if (test) {
                Array.prototype.forEach.call(test.options, function (option) {
                    option.hidden = option.disabled = chosen.value !== "" && tests.indexOf(option.value) < 0;
                });
                if (test.options[test.selectedIndex].disabled) { test.value = tests[0]; }
            }
            var alone = ["empty", "filled", "yes", "no"].indexOf(test ? test.value : "") >= 0 || chosen.dataset.alone;
            value.hidden = Boolean(alone);
            if (chosen.dataset.list) { value.setAttribute("list", "list-" + chosen.dataset.list); }
            else { value.removeAttribute("list"); }
        }

        fact.addEventListener("change", narrow);
        if (test) { test.addEventListener("change", narrow); }
        narrow();
    }

    function drag(body) {
        var moved = null;

        function number() {
            Array.prototype.forEach.call(body.querySelectorAll("input[name^='position-']"), function (input, index) {
                input.value = index + 1;
            });
        }

        Array.prototype.forEach.call(body.rows, function (row) {
            row.draggable = true;
            row.addEventListener("dragstart", function (event) {
                moved = row;
                event.dataTransfer.effectAllowed = "move";
                event.dataTransfer.setData("text/plain", "");
            });
            row.addEventListener("dragover", function (event) {
                if (!moved || moved === row) { return; }
                event.preventDefault();
                var box = row.getBoundingClientRect();
                var below = event.clientY > box.top + box.height / 2;
                body.insertBefore(moved, below ? row.nextSibling : row);
            });
            row.addEventListener("drop", function (event) { event.preventDefault(); });
            row.addEventListener("dragend", function () { moved = null; number(); });
        });
    }

    Array.prototype.forEach.call(document.querySelectorAll("[data-rule-row]"), follow);
    Array.prototype.forEach.call(document.querySelectorAll("[data-rule-order]"), drag);
}());
